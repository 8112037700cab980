resource "aws_secretsmanager_secret" "this" {
  for_each                = { app = "What the application signs with", database = "Master user of the database" }
  name                    = "uda/${each.key}"
  description             = each.value
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each      = aws_secretsmanager_secret.this
  secret_id     = each.value.id
  secret_string = jsonencode({ password = "for-the-emulator-alone" })
}

resource "aws_db_subnet_group" "this" {
  name        = "uda_subnet_group"
  description = "Subnets of uda-psql-db"
  subnet_ids  = [aws_subnet.this["private_1"].id, aws_subnet.this["private_2"].id]
}

resource "aws_db_instance" "this" {
  identifier              = "uda-psql-db"
  engine                  = "postgres"
  engine_version          = "15"
  instance_class          = "db.t4g.micro"
  allocated_storage       = 20
  storage_type            = "gp3"
  storage_encrypted       = true
  db_name                 = "uda_psql_db"
  username                = "postgres"
  password                = "for-the-emulator-alone"
  port                    = 5432
  db_subnet_group_name    = aws_db_subnet_group.this.name
  vpc_security_group_ids  = [aws_security_group.database.id]
  backup_retention_period = 7
  copy_tags_to_snapshot   = true
  skip_final_snapshot     = true
  apply_immediately       = true
}
