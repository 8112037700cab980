"""The lab: AWS's API answered on loopback, with real machines behind it (docs/architecture.md)."""
