"""What `make bench` measures: the `uda` stack on a lab of its own."""
