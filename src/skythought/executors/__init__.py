"""Where a plain function runs so that it can be killed: worker processes here, a cluster later."""
