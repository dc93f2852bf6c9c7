from .dense_crf_tta_model import DenseCRFTTAModel
from .seed_tta_model import SeedTTAModel

__all__ = ['DenseCRFTTAModel', 'SeedTTAModel']
