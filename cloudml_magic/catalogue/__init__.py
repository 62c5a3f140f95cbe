"""What there is to run on: machine types, accelerators, what carries what, and where; read once from a dated table."""

from cloudml_magic.catalogue.machines import AcceleratorKind, Catalogue, MachineType, catalogue

__all__ = ["AcceleratorKind", "Catalogue", "MachineType", "catalogue"]
