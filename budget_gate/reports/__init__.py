"""What people read: pure functions from data to text, held by golden files. Nothing here sends anything."""
