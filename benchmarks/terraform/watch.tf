locals {
  balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  database = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  alarms = {
    unhealthy-hosts-web  = { space = "AWS/ApplicationELB", metric = "UnHealthyHostCount", sign = "GreaterThanThreshold", threshold = 0, of = merge(local.balancer, { TargetGroup = aws_lb_target_group.this.arn_suffix }) }
    server-errors        = { space = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", sign = "GreaterThanThreshold", threshold = 5, of = local.balancer }
    balancer-errors      = { space = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", sign = "GreaterThanThreshold", threshold = 5, of = local.balancer }
    cpu                  = { space = "AWS/EC2", metric = "CPUUtilization", sign = "GreaterThanThreshold", threshold = 80, of = { AutoScalingGroupName = aws_autoscaling_group.this.name } }
    database-cpu         = { space = "AWS/RDS", metric = "CPUUtilization", sign = "GreaterThanThreshold", threshold = 80, of = local.database }
    database-connections = { space = "AWS/RDS", metric = "DatabaseConnections", sign = "GreaterThanThreshold", threshold = 70, of = local.database }
    database-storage     = { space = "AWS/RDS", metric = "FreeStorageSpace", sign = "LessThanThreshold", threshold = 2000000000, of = local.database }
  }
}

resource "aws_sns_topic" "this" { name = "uda-alarms" }

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "uda-${each.key}"
  namespace           = each.value.space
  metric_name         = each.value.metric
  comparison_operator = each.value.sign
  threshold           = each.value.threshold
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  dimensions          = each.value.of
  alarm_actions       = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(["system", "nginx", "app"])
  name              = "/uda/${each.key}"
  retention_in_days = 14
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "uda"
  dashboard_body = jsonencode({
    widgets = [{
      type       = "metric", x = 0, y = 0, width = 12, height = 6
      properties = { title = "requests", stat = "Sum", period = 60, view = "timeSeries", region = "ap-northeast-1", metrics = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", aws_lb.this.arn_suffix]] }
    }]
  })
}
