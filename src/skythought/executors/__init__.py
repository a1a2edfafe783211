"""Where a plain function runs so that it can be killed: worker processes of this machine, or of a Ray cluster."""
