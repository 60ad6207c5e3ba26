"""What to do about operators of ONNX that are not supported: where they come from, and how to do without them."""

from __future__ import annotations

_SIZES = "the number of samples is computed in the graph: export torch.flatten(x, 1) in the place of view and reshape"
_TYPES = "numbers change their type on the way: export the model in one precision, model.float() before, not mixed"
_LOW = "export the model before it is quantised"
_FUSED = "load the file as it was before onnxruntime optimised it, or let it do so with ORT_ENABLE_BASIC alone"
_IMAGES = "only layers that take rows are read: export the classifier alone, and give it the features as inputs"
_BRANCH = "the model branches or repeats: export by tracing, torch.onnx.export of the module as it is, not scripted"
_PARTS = (
    "only a chain of whole layers is read: cut it out, from or up to the value {value!r}, with "
    "onnx.utils.extract_model(file, new_file, [input], [output])"
)
_OWN = (
    "take its arrays, onnx.numpy_helper.to_array(tensor) of every tensor in model.graph.initializer, and an Activation "
    "of your own: statnn.Network(weights, biases, activations), weights of shape (out, in)"
)
_EITHER = f"if these make one function of every unit, {_OWN}; if not, {_PARTS}"
_COMPUTED = (
    "have it computed, options = onnxruntime.SessionOptions(), options.optimized_model_filepath = new_file, "
    "options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC, and "
    "onnxruntime.InferenceSession(file, options) writes the new file"
)
_ROWS = "samples are rows all along: export the model without it, and transpose or squeeze the inputs before"

ADVICE = {
    **dict.fromkeys(("Cast", "CastLike"), _TYPES),
    "Shape": _SIZES,
    **dict.fromkeys(("Scaler", "Imputer", "Normalizer", "ZipMap", "ArrayFeatureExtractor"), _PARTS),  # of ai.onnx.ml
    **dict.fromkeys(("Elu", "Selu", "Celu", "Mish", "PRelu", "ThresholdedRelu", "Softsign", "HardSigmoid"), _OWN),
    **dict.fromkeys(("HardSwish", "Clip", "Abs", "Cos", "Tan", "Atan", "Sinh", "Exp", "Log", "Sqrt", "Pow"), _OWN),
    **dict.fromkeys(("Sign", "Floor", "Round", "Neg", "Reciprocal", "Max", "Min", "Shrink"), _OWN),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"), _LOW),
    **dict.fromkeys(("QLinearMatMul", "QGemm", "ConvInteger", "QLinearConv"), _LOW),
    **dict.fromkeys(("Quant", "IntQuant", "FloatQuant", "BipolarQuant", "Trunc", "MultiThreshold"), _LOW),  # of QONNX
    **dict.fromkeys(("MatMulNBits", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"), _LOW),
    **dict.fromkeys(("FusedGemm", "FusedMatMul", "Gelu", "BiasGelu", "FastGelu", "QuickGelu"), _FUSED),
    **dict.fromkeys(("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "Pad", "Resize"), _IMAGES),
    **dict.fromkeys(("If", "Loop", "Scan"), _BRANCH),
    **dict.fromkeys(("Transpose", "Squeeze", "Unsqueeze"), _ROWS),
}


def advice(operator: str, value: str = "") -> str:
    """Return the likely fix, as the end of a message.

    Parameters
    ----------
    operator : str
        Its name; empty for several together.
    value : str
        Name of the value of the samples that flows into it; empty if it makes weights.

    Examples
    --------
    >>> advice("Cast", "x")[:50], advice("Reshape")[:28]
    ('. Likely fix: numbers change their type on the way', '. Likely fix: have it comput')
    """
    fix = ADVICE.get(operator, _PARTS if operator else _EITHER)
    if not value and fix != _LOW:
        fix = _COMPUTED
    return f". Likely fix: {fix.format(value=value)}"
