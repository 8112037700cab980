resource "aws_iam_role" "this" {
  name        = "uda-web"
  path        = "/uda/"
  description = "What the machines of the fleet may do"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "uda-web"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = [for name in ["app", "database"] : "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/${name}-??????"]
    }]
  })
}

resource "aws_iam_instance_profile" "this" {
  name = "uda-web"
  path = "/uda/"
  role = aws_iam_role.this.name
}

resource "aws_key_pair" "this" {
  key_name   = "uda"
  public_key = var.public_key
}

resource "aws_lb_target_group" "this" {
  name                 = "uda-target-group"
  port                 = 80
  protocol             = "HTTP"
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 30
  health_check {
    path                = "/health"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb" "this" {
  name                       = "uda-alb"
  security_groups            = [aws_security_group.load_balancer.id]
  subnets                    = [aws_subnet.this["public_1"].id, aws_subnet.this["public_2"].id]
  drop_invalid_header_fields = true
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_launch_template" "this" {
  name                   = "uda_web"
  image_id               = var.image_id
  instance_type          = "t2.micro"
  key_name               = aws_key_pair.this.key_name
  vpc_security_group_ids = [aws_security_group.web.id]
  update_default_version = true
  user_data              = base64encode("#!/bin/sh\nprintf 'DB_HOST=%s\\n' ${aws_db_instance.this.address} > /etc/uda.env\n")
  iam_instance_profile { arn = aws_iam_instance_profile.this.arn }
  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted   = true
      volume_size = 10
      volume_type = "gp3"
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                      = "uda_web"
  min_size                  = 2
  max_size                  = 4
  health_check_type         = "ELB"
  health_check_grace_period = 300
  vpc_zone_identifier       = [aws_subnet.this["public_1"].id, aws_subnet.this["public_2"].id]
  target_group_arns         = [aws_lb_target_group.this.arn]
  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }
  tag {
    key                 = "Name"
    value               = "uda_web"
    propagate_at_launch = false
  }
}
