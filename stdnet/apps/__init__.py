"""Applications: whole features on top of the mapper. They use its public names and ``stdnet.contract``, no backend."""
