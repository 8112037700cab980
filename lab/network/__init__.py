"""Networks of the lab: namespaces, the VPC's router, security groups. Rules and layouts are pure text; `kernel.py` applies them."""
