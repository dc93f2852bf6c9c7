from .dense_crf_tta_model import DenseCRFTTAModel
from .seed_tta_model import SeedTTAModel, gate_scores
from .weighted_encoder_decoder import WeightedCascadeEncoderDecoder, WeightedEncoderDecoder

__all__ = ['DenseCRFTTAModel', 'SeedTTAModel', 'WeightedCascadeEncoderDecoder', 'WeightedEncoderDecoder', 'gate_scores']
