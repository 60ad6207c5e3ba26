"""What to do about operators of ONNX that are not supported: where they come from, and how to export without them."""

from __future__ import annotations

_SIZES = "the number of samples is computed in the graph: export torch.flatten(x, 1) in the place of view and reshape"
_TYPES = "numbers change their type on the way: export the model in one precision, model.float() before, not mixed"
_LOW = "export the model before it is quantised"
_IMAGES = "only layers that take rows are read: export the classifier alone, and give it the features as inputs"
_BRANCH = "the model branches or repeats: export by tracing, torch.onnx.export of the module as it is, not scripted"
_ROWS = "samples are rows all along: export the model without it, and transpose or squeeze the inputs before"

_ADVICE = {
    **dict.fromkeys(("Cast", "CastLike"), _TYPES),
    **dict.fromkeys(("Shape", "Gather", "Concat", "ConstantOfShape", "Slice", "Unsqueeze", "Expand"), _SIZES),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"), _LOW),
    **dict.fromkeys(("QLinearMatMul", "QGemm", "ConvInteger", "QLinearConv"), _LOW),
    **dict.fromkeys(("Quant", "IntQuant", "FloatQuant", "BipolarQuant", "Trunc", "MultiThreshold"), _LOW),  # of QONNX
    **dict.fromkeys(("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "Pad", "Resize"), _IMAGES),
    **dict.fromkeys(("If", "Loop", "Scan"), _BRANCH),
    **dict.fromkeys(("Transpose", "Squeeze"), _ROWS),
}


def advice(operator: str, *, of_weights: bool = False) -> str:
    """Return the likely fix, as the end of a message; empty where none is known, or none where it makes weights.

    Examples
    --------
    >>> advice("Cast")[:50], advice("Elu")
    ('. Likely fix: numbers change their type on the way', '')
    """
    fix = _ADVICE.get(operator)
    return f". Likely fix: {fix}" if fix in (_LOW, _TYPES) or (fix and not of_weights) else ""
