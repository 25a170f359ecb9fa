"""What is measured, one module for each: ``measure(scale)`` returns an Outcome."""
