"""Applications on top of the mapper: they use its public interface and the contract, and no backend."""
