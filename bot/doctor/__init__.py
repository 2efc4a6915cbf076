"""What is missing or wrong on this machine, one small check a finding."""
