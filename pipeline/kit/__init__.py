"""What every release carries for its recipient, who has none of this software."""
