"""IAM in force: who asks, what for, and whether the policies allow it (IAM User Guide, "Policy evaluation logic")."""
