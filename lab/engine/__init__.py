"""What runs the machines: an interface, podman behind it, and a memory double for tests."""
