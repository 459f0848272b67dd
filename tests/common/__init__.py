"""What the tests share: people, products, masters, batches, refusals."""
