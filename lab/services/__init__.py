"""The AWS services that stand machines behind their API: EC2 instances, load balancers, databases, Auto Scaling."""
