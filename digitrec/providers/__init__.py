"""The engines that read digits: one file each, found by name through the registry."""
