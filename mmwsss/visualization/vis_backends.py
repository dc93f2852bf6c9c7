"""MLflow and W&B as backends of mmengine's visualizer, with what their releases of today want."""

import os
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.visualization import MLflowVisBackend, WandbVisBackend

from mmwsss.registry import VISBACKENDS


@VISBACKENDS.register_module()
class MLflowImageBackend(MLflowVisBackend):
    """mmengine's ``MLflowVisBackend``, which also takes pictures and needs no server.

    MLflow tells the format of a picture by the end of its name, and stops at the names that mmengine's hooks give;
    here, each is ``<name>_<step>.png``. MLflow 3 refuses the folder of files that is mmengine's default; here, it is a
    database, ``mlflow.db`` in ``vis_data`` of the run, which ``mlflow ui --backend-store-uri`` opens.

    Args:
        save_dir (str): Folder of the visualizer's files.
        exp_name (str): Name of the experiment; that of MLflow's own default keeps its pictures in the current folder.
            Defaults to ``'mmwsss'``.
        tracking_uri (str, optional): A server or database. Defaults to None: ``sqlite:///<save_dir>/mlflow.db``.
        artifact_location (str, optional): Where pictures and configs go. Defaults to None: with the database of
            ``save_dir``, the folder ``artifacts`` beside it, else what the server picks.
        **kwargs: As of ``mmengine.visualization.MLflowVisBackend``.
    """

    def __init__(
        self,
        save_dir: str,
        exp_name: str = 'mmwsss',
        tracking_uri: str | None = None,
        artifact_location: str | None = None,
        **kwargs: Any,
    ) -> None:
        if tracking_uri is None:
            folder = os.path.abspath(save_dir)
            tracking_uri = f'sqlite:///{folder}/mlflow.db'
            artifact_location = artifact_location or f'file://{folder}/artifacts'
            # The logs lie beside the database already; mmengine would copy them, and the copies of runs before.
            kwargs.setdefault('artifact_suffix', ())
        super().__init__(save_dir, exp_name, tracking_uri=tracking_uri, artifact_location=artifact_location, **kwargs)

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        super().add_image(f'{name}_{step}.png', image, step, **kwargs)


@VISBACKENDS.register_module()
class WandbRunBackend(WandbVisBackend):
    """mmengine's ``WandbVisBackend``, without a copy of all Python files under the current folder.

    mmengine's uploads them with the config; with a virtual environment beside the code, these are tens of thousands,
    and a training starts minutes later.

    Args: as of ``mmengine.visualization.WandbVisBackend``.
    """

    def add_config(self, config: Config, **kwargs: Any) -> None:
        allow_change = (self._init_kwargs or {}).get('allow_val_change', False)
        self.experiment.config.update(config.to_dict(), allow_val_change=allow_change)
