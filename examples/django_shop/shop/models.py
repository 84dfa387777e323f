"""The tables of the shop, in SQL: what the back office writes."""

from django.db import models


class Artist(models.Model):
    """An artist or band."""

    name = models.CharField(max_length=100)


class Genre(models.Model):
    """A kind of music."""

    name = models.CharField(max_length=100)


class Track(models.Model):
    """A track of an artist, of any number of genres."""

    name = models.CharField(max_length=200)
    artist = models.ForeignKey(Artist, on_delete=models.CASCADE)
    genres = models.ManyToManyField(Genre)
    price = models.DecimalField(max_digits=6, decimal_places=2)
    released = models.DateTimeField(null=True)
    purchase_price = models.DecimalField(max_digits=6, decimal_places=2, null=True)
