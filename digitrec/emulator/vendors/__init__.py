"""The vendors' protocols, one module for each vendor; `base` defines their interface."""
