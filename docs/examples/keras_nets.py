"""A Keras network for the page on Keras models."""

import keras
from keras import layers


def skip(width: int = 8) -> keras.Model:
    """An encoder and decoder whose halves meet in a concatenation."""
    image = keras.Input((None, None, 3), name="image")
    x = layers.Conv2D(width, 3, padding="same", activation="relu", name="enter")(image)
    y = layers.MaxPooling2D(2, padding="same", name="down")(x)
    y = layers.Conv2D(2 * width, 3, padding="same", name="middle")(y)
    y = layers.Conv2DTranspose(width, 2, 2, name="up")(y)
    z = layers.Concatenate(name="meet")([x, y])
    return keras.Model(image, layers.Conv2D(4, 1, name="leave")(z), name="skip")
