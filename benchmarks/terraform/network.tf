resource "aws_vpc" "this" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "udaVPC" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "udaIGW" }
}

resource "aws_subnet" "this" {
  for_each                = local.subnets
  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.value.cidr
  availability_zone       = each.value.az
  map_public_ip_on_launch = each.value.public
  tags                    = { Name = each.value.name }
}

resource "aws_route_table" "this" {
  for_each = toset(["public", "private"])
  vpc_id   = aws_vpc.this.id
  tags     = { Name = "uda_route_table_${each.key}" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.this["public"].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "this" {
  for_each       = local.subnets
  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.this[each.value.public ? "public" : "private"].id
}

resource "aws_security_group" "load_balancer" {
  name        = "uda_sg_alb"
  description = "HTTP to the load balancer from the operator"
  vpc_id      = aws_vpc.this.id
  ingress {
    description = "HTTP from the operator"
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = [local.operator]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { Name = "uda_sg_alb" }
}

resource "aws_security_group" "web" {
  name        = "uda_sg_web"
  description = "HTTP to the web tier from the load balancer, SSH from the operator"
  vpc_id      = aws_vpc.this.id
  ingress {
    description     = "HTTP from the load balancer"
    protocol        = "tcp"
    from_port       = 80
    to_port         = 80
    security_groups = [aws_security_group.load_balancer.id]
  }
  ingress {
    description = "SSH from the operator"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [local.operator]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { Name = "uda_sg_web" }
}

resource "aws_security_group" "database" {
  name        = "uda_sg_rds"
  description = "PostgreSQL from the web tier"
  vpc_id      = aws_vpc.this.id
  ingress {
    description     = "PostgreSQL from the web tier"
    protocol        = "tcp"
    from_port       = 5432
    to_port         = 5432
    security_groups = [aws_security_group.web.id]
  }
  tags = { Name = "uda_sg_rds" }
}
