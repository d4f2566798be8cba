"""What IT needs to put an agent on a store PC: the plan of an install, the service's unit, the devices' rules and the handbook."""
