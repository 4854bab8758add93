"""What emptying a bucket is made of. Nothing here holds more than a page of keys, however many millions there are."""
