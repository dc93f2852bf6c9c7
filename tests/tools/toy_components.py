"""A model of one layer and a data set of random tensors, to run the tools on in a second."""

import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmseg.registry import DATASETS, METRICS, MODELS
from torch.utils.data import Dataset


@DATASETS.register_module()
class ToyDataset(Dataset):
    metainfo = dict(classes=('a', 'b'))

    def __len__(self):
        return 8

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        return dict(inputs=torch.randn(3, generator=generator), data_samples=torch.tensor(index % 2))


@MODELS.register_module()
class ToyModel(BaseModel):
    def __init__(self, width=2, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        self.layer = torch.nn.Linear(3, width)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        scores = self.layer(torch.stack(tuple(inputs)))
        if mode == 'loss':
            labels = torch.stack(tuple(data_samples))
            return dict(loss=torch.nn.functional.cross_entropy(scores.float(), labels))
        return list(scores) if mode == 'predict' else scores


@METRICS.register_module()
class ToyMetric(BaseMetric):
    default_prefix = 'toy'

    def __init__(self, output_dir=None, collect_device='cpu'):
        super().__init__(collect_device=collect_device)
        self.output_dir = output_dir

    def process(self, data_batch, data_samples):
        self.results.extend(float(sample.sum()) for sample in data_samples)

    def compute_metrics(self, results):
        return dict(count=len(results), undefined=float('nan'))
