from .dense_crf_tta_model import DenseCRFTTAModel

__all__ = ['DenseCRFTTAModel']
