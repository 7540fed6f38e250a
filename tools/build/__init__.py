"""Makes what learners read of what authors write: notebooks, slides, tables in pages, the lock."""
