from .balanced_cross_entropy_loss import BalancedCrossEntropyLoss
from .cross_entropy_loss import CrossEntropyLoss

__all__ = ['BalancedCrossEntropyLoss', 'CrossEntropyLoss']
