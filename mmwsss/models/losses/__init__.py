from .balanced_cross_entropy_loss import BalancedCrossEntropyLoss

__all__ = ['BalancedCrossEntropyLoss']
