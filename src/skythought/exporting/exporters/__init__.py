"""The formats: a module each, with one class that derives from `Exporter`."""
