import sys

print("arguments:", sys.argv)
