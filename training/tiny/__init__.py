"""How the bundled tiny model is made: see README.md."""

import os

# Before torch is loaded: a waiting thread shall sleep, not spin. It changes no number, and on a busy machine
# training is several times faster for it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
