"""The conversions of ``valueType=``, one file a type; ``base/conversions.py`` lists them."""
