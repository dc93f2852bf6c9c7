"""Convert data sets, seeds and weights of others: the first word says what.

mmwsss convert folder my_images data/pets
mmwsss convert --help
"""
