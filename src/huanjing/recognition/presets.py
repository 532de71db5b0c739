"""The classic networks by name: one row for every network of ``keras.applications``.

Sources: names, sizes, preprocessing, files and hashes from Keras 3.15's ``keras/src/applications``; accuracies
from the table "Available models" of the Keras documentation (MobileNetV3's from the table in its docstring);
parameters counted on the networks built with their classifier. Licences as earlier editions of the Keras
documentation name them, or as the repository has them from which the weights were ported.

Importing this module imports neither TensorFlow nor OpenVINO.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from huanjing.bundle.download import weights_folder

Preprocessing = Literal["caffe", "tf", "torch", "none"]

BUCKET = "https://storage.googleapis.com/tensorflow/keras-applications/"
"""Keras's public bucket. EfficientNet's files (not V2's) are in one of their own."""
EFFICIENTNET_BUCKET = "https://storage.googleapis.com/keras-applications/"

MIRROR = "HUANJING_WEIGHTS_URL"
"""The environment variable that names another place to fetch from: a folder with files of the same names."""

NORMALISATION: dict[Preprocessing, str] = {
    "caffe": "RGB to BGR, minus 103.939, 116.779, 123.68",
    "tf": "x / 127.5 - 1",
    "torch": "x / 255, minus 0.485, 0.456, 0.406, divided by 0.229, 0.224, 0.225",
    "none": "none before the network: its first layers normalise 0..255 themselves",
}
"""What each mode does with RGB, 0..255, in words."""

PROTOCOL = "per cent, ImageNet validation set; as the Keras documentation states it, not measured again"
"""Of every accuracy in the table."""


@dataclass(frozen=True)
class Preset:
    """One published network with ImageNet's 1,000 classes.

    ``top1`` and ``top5`` are per cent on ImageNet's validation set as the Keras documentation states them, None
    where it states none. ``parameters`` counts them with the classifier.
    """

    name: str
    keras: str
    side: int
    preprocessing: Preprocessing
    top1: float | None
    top5: float | None
    parameters: int

    @property
    def location(self) -> str:
        """The official file's place in Keras's bucket."""
        return _FILES[self.name][0]

    @property
    def file(self) -> str:
        """The official file's name."""
        return self.location.rpartition("/")[2]

    @property
    def url(self) -> str:
        """Where the official file is fetched from: Keras's bucket, or the folder that the user names."""
        mirror = os.environ.get(MIRROR)
        if mirror:
            return f"{mirror.rstrip('/')}/{self.file}"
        return (EFFICIENTNET_BUCKET if "/" not in self.location else BUCKET) + self.location

    @property
    def hash(self) -> str | None:
        """The official file's MD5, or SHA-256 (ConvNeXt), in hexadecimal; None where Keras's source has none."""
        return _FILES[self.name][1]

    @property
    def hash_method(self) -> str:
        """What :attr:`hash` is: MD5 or SHA-256."""
        return "SHA-256" if self.hash and len(self.hash) == 64 else "MD5"

    @property
    def bytes(self) -> int:
        """About how large the official file is: float32 numbers."""
        return 4 * self.parameters

    @property
    def training(self) -> str:
        """What the official weights learned from."""
        start = "ImageNet-21k, then " if self.name in _STARTED_LARGER else ""
        return f"{start}ImageNet (ILSVRC 2012), training set; trained by the original authors"

    @property
    def licence(self) -> str:
        """The licence of the weights, as far as it is known."""
        return next(text for start, text in _LICENCES if self.name.startswith(start))


PRESETS = {
    row.name: row
    for row in (
        #      name                  class of Keras       side  mode    top-1  top-5  parameters
        Preset("vgg16",              "VGG16",             224, "caffe", 71.3,  90.1,  138_357_544),
        Preset("vgg19",              "VGG19",             224, "caffe", 71.3,  90.0,  143_667_240),
        Preset("resnet50",           "ResNet50",          224, "caffe", 74.9,  92.1,   25_636_712),
        Preset("resnet101",          "ResNet101",         224, "caffe", 76.4,  92.8,   44_707_176),
        Preset("resnet152",          "ResNet152",         224, "caffe", 76.6,  93.1,   60_419_944),
        Preset("resnet50v2",         "ResNet50V2",        224, "tf",    76.0,  93.0,   25_613_800),
        Preset("resnet101v2",        "ResNet101V2",       224, "tf",    77.2,  93.8,   44_675_560),
        Preset("resnet152v2",        "ResNet152V2",       224, "tf",    78.0,  94.2,   60_380_648),
        Preset("inceptionv3",        "InceptionV3",       299, "tf",    77.9,  93.7,   23_851_784),
        Preset("inceptionresnetv2",  "InceptionResNetV2", 299, "tf",    80.3,  95.3,   55_873_736),
        Preset("xception",           "Xception",          299, "tf",    79.0,  94.5,   22_910_480),
        Preset("mobilenet",          "MobileNet",         224, "tf",    70.4,  89.5,    4_253_864),
        Preset("mobilenetv2",        "MobileNetV2",       224, "tf",    71.3,  90.1,    3_538_984),
        Preset("mobilenetv3small",   "MobileNetV3Small",  224, "none",  68.1,  None,    2_554_968),
        Preset("mobilenetv3large",   "MobileNetV3Large",  224, "none",  75.6,  None,    5_507_432),
        Preset("densenet121",        "DenseNet121",       224, "torch", 75.0,  92.3,    8_062_504),
        Preset("densenet169",        "DenseNet169",       224, "torch", 76.2,  93.2,   14_307_880),
        Preset("densenet201",        "DenseNet201",       224, "torch", 77.3,  93.6,   20_242_984),
        Preset("nasnetmobile",       "NASNetMobile",      224, "tf",    74.4,  91.9,    5_326_716),
        Preset("nasnetlarge",        "NASNetLarge",       331, "tf",    82.5,  96.0,   88_949_818),
        Preset("efficientnetb0",     "EfficientNetB0",    224, "none",  77.1,  93.3,    5_330_571),
        Preset("efficientnetb1",     "EfficientNetB1",    240, "none",  79.1,  94.4,    7_856_239),
        Preset("efficientnetb2",     "EfficientNetB2",    260, "none",  80.1,  94.9,    9_177_569),
        Preset("efficientnetb3",     "EfficientNetB3",    300, "none",  81.6,  95.7,   12_320_535),
        Preset("efficientnetb4",     "EfficientNetB4",    380, "none",  82.9,  96.4,   19_466_823),
        Preset("efficientnetb5",     "EfficientNetB5",    456, "none",  83.6,  96.7,   30_562_527),
        Preset("efficientnetb6",     "EfficientNetB6",    528, "none",  84.0,  96.8,   43_265_143),
        Preset("efficientnetb7",     "EfficientNetB7",    600, "none",  84.3,  97.0,   66_658_687),
        Preset("efficientnetv2b0",   "EfficientNetV2B0",  224, "none",  78.7,  94.3,    7_200_312),
        Preset("efficientnetv2b1",   "EfficientNetV2B1",  240, "none",  79.8,  95.0,    8_212_124),
        Preset("efficientnetv2b2",   "EfficientNetV2B2",  260, "none",  80.5,  95.1,   10_178_374),
        Preset("efficientnetv2b3",   "EfficientNetV2B3",  300, "none",  82.0,  95.8,   14_467_622),
        Preset("efficientnetv2s",    "EfficientNetV2S",   384, "none",  83.9,  96.7,   21_612_360),
        Preset("efficientnetv2m",    "EfficientNetV2M",   480, "none",  85.3,  97.4,   54_431_388),
        Preset("efficientnetv2l",    "EfficientNetV2L",   480, "none",  85.7,  97.5,  119_027_848),
        Preset("convnexttiny",       "ConvNeXtTiny",      224, "none",  81.3,  None,   28_589_128),
        Preset("convnextsmall",      "ConvNeXtSmall",     224, "none",  82.3,  None,   50_223_688),
        Preset("convnextbase",       "ConvNeXtBase",      224, "none",  85.3,  None,   88_591_464),
        Preset("convnextlarge",      "ConvNeXtLarge",     224, "none",  86.3,  None,  197_767_336),
        Preset("convnextxlarge",     "ConvNeXtXLarge",    224, "none",  86.7,  None,  350_196_968),
    )
}  # fmt: skip
"""Every network of ``keras.applications``, by the name that the commands take."""

_KERNELS = "_weights_tf_dim_ordering_tf_kernels.h5"
_MOBILENET_V3 = "mobilenet_v3/weights_mobilenet_v3_"
_CONVNEXT = "convnext/convnext_"
_FILES: dict[str, tuple[str, str | None]] = {
    "vgg16":             ("vgg16/vgg16" + _KERNELS,                                 "64373286793e3c8b2b4e3219cbf3544b"),
    "vgg19":             ("vgg19/vgg19" + _KERNELS,                                 "cbe5617147190e668d6c5d5026f83318"),
    "resnet50":          ("resnet/resnet50" + _KERNELS,                             "2cb95161c43110f7111970584f804107"),
    "resnet101":         ("resnet/resnet101" + _KERNELS,                            "f1aeb4b969a6efcfb50fad2f0c20cfc5"),
    "resnet152":         ("resnet/resnet152" + _KERNELS,                            "100835be76be38e30d865e96f2aaae62"),
    "resnet50v2":        ("resnet/resnet50v2" + _KERNELS,                           "3ef43a0b657b3be2300d5770ece849e0"),
    "resnet101v2":       ("resnet/resnet101v2" + _KERNELS,                          "6343647c601c52e1368623803854d971"),
    "resnet152v2":       ("resnet/resnet152v2" + _KERNELS,                          "a49b44d1979771252814e80f8ec446f9"),
    "inceptionv3":       ("inception_v3/inception_v3" + _KERNELS,                   "9a0d58056eeedaa3f26cb7ebd46da564"),
    "inceptionresnetv2": ("inception_resnet_v2/inception_resnet_v2" + _KERNELS,     "e693bd0210a403b3192acc6073ad2e96"),
    "xception":          ("xception/xception" + _KERNELS,                           "0a58e3b7378bc2990ea3b43d5981f1f6"),
    "mobilenet":         ("mobilenet/mobilenet_1_0_224_tf.h5",                      None),
    "mobilenetv2":       (f"mobilenet_v2/mobilenet_v2{_KERNELS[:-3]}_1.0_224.h5",   None),
    "mobilenetv3small":  (_MOBILENET_V3 + "small_224_1.0_float.h5", "8768d4c2e7dee89b9d02b2d03d65d862"),
    "mobilenetv3large":  (_MOBILENET_V3 + "large_224_1.0_float.h5", "59e551e166be033d707958cf9e29a6a7"),
    "densenet121":       ("densenet/densenet121" + _KERNELS,                        "9d60b8095a5708f2dcce2bca79d332c7"),
    "densenet169":       ("densenet/densenet169" + _KERNELS,                        "d699b8f76981ab1b30698df4c175e90b"),
    "densenet201":       ("densenet/densenet201" + _KERNELS,                        "1ceb130c1ea1b78c3bf6114dbdfd8807"),
    "nasnetmobile":      ("nasnet/NASNet-mobile.h5",                                "020fb642bf7360b370c678b08e0adf61"),
    "nasnetlarge":       ("nasnet/NASNet-large.h5",                                 "11577c9a518f0070763c2b964a382f17"),
    "efficientnetb0":    ("efficientnetb0.h5",                                      "902e53a9f72be733fc0bcb005b3ebbac"),
    "efficientnetb1":    ("efficientnetb1.h5",                                      "1d254153d4ab51201f1646940f018540"),
    "efficientnetb2":    ("efficientnetb2.h5",                                      "b15cce36ff4dcbd00b6dd88e7857a6ad"),
    "efficientnetb3":    ("efficientnetb3.h5",                                      "ffd1fdc53d0ce67064dc6a9c7960ede0"),
    "efficientnetb4":    ("efficientnetb4.h5",                                      "18c95ad55216b8f92d7e70b3a046e2fc"),
    "efficientnetb5":    ("efficientnetb5.h5",                                      "ace28f2a6363774853a83a0b21b9421a"),
    "efficientnetb6":    ("efficientnetb6.h5",                                      "165f6e37dce68623721b423839de8be5"),
    "efficientnetb7":    ("efficientnetb7.h5",                                      "8c03f828fec3ef71311cd463b6759d99"),
    "efficientnetv2b0":  ("efficientnet_v2/efficientnetv2-b0.h5",                   "21ecbf6da12460d5c40bb2f29ceb2188"),
    "efficientnetv2b1":  ("efficientnet_v2/efficientnetv2-b1.h5",                   "069f0534ff22adf035c89e2d9547a9dc"),
    "efficientnetv2b2":  ("efficientnet_v2/efficientnetv2-b2.h5",                   "424e49f28180edbde1e94797771950a7"),
    "efficientnetv2b3":  ("efficientnet_v2/efficientnetv2-b3.h5",                   "1f1fc43bd98a6e4fd8fdfd551e02c7a0"),
    "efficientnetv2s":   ("efficientnet_v2/efficientnetv2-s.h5",                    "e1d88a8495beba45748fedd0cecbe016"),
    "efficientnetv2m":   ("efficientnet_v2/efficientnetv2-m.h5",                    "a3bf6aa3276309f4fc6a34aa114c95cd"),
    "efficientnetv2l":   ("efficientnet_v2/efficientnetv2-l.h5",                    "27e6d408b53c7ebc868fefa357689935"),
    "convnexttiny":      (_CONVNEXT + "tiny.h5", "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff"),
    "convnextsmall":     (_CONVNEXT + "small.h5", "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c"),
    "convnextbase":      (_CONVNEXT + "base.h5", "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6"),
    "convnextlarge":     (_CONVNEXT + "large.h5", "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6"),
    "convnextxlarge":    (_CONVNEXT + "xlarge.h5", "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee"),
}  # fmt: skip
"""The official file's place in the bucket, and its MD5, or SHA-256 where that is longer; MobileNet and MobileNetV2
have none in Keras's source."""

_STARTED_LARGER = {"convnextbase", "convnextlarge", "convnextxlarge"}
"""Trained first on ImageNet-21k, as Keras's source says; their accuracies compare only with others of that kind."""

_APACHE = "Apache-2.0 (the weights' original publication)"
_BSD = "BSD (Facebook, fb.resnet.torch)"
_LICENCES = (
    # name begins with, licence
    ("vgg", "Creative Commons Attribution (VGG, University of Oxford)"),
    ("resnet50v2", _BSD),
    ("resnet101v2", _BSD),
    ("resnet152v2", _BSD),
    ("resnet", "MIT (Kaiming He)"),
    ("inception", _APACHE),
    ("xception", "MIT (Keras)"),
    ("mobilenet", _APACHE),
    ("densenet", "BSD-3-Clause (the weights' original publication)"),
    ("nasnet", _APACHE),
    ("efficientnet", _APACHE),
    ("convnext", "MIT (the weights' original publication)"),
)
"""The first row whose beginning a name has says its licence."""


def how_to_fetch(name: str | None) -> str | None:
    """What to do about a network of the table that is not here as a model; None where ``name`` is none of them."""
    if name not in PRESETS:
        return None
    preset = PRESETS[name]
    digest = f" ({preset.hash_method} {preset.hash})" if preset.hash else ""
    return (
        f"{name} is not here yet. Get it with: huanjing models fetch {name}. Without a network, put {preset.file}"
        f"{digest} into {weights_folder()} and give that command, or name the file with --weights."
    )
