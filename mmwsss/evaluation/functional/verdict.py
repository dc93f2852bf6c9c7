"""One line on a run that no masks measure: can its results be used, and what should be looked at?"""

from collections.abc import Mapping
from typing import Any, NamedTuple

# A share of the labeled images this large, with empty masks, is nearly all of them.
NEARLY_ALL = 0.9
# A classifier that goes less than this share of the way from guessing to perfection has learnt nothing.
NOTHING_LEARNT = 0.2
# One that goes less than this share of it has learnt little.
LITTLE_LEARNT = 0.5
# If guessing has a higher mAP, nearly all images have all classes, and mAP says nothing.
MAX_GUESSED = 99.0
# Up to this share of the images to look at is what is left over in a good run.
FEW = 0.05
# A segmentor with this share of the pixels as background, in percent, sees nothing else.
ALL_BACKGROUND = 99.9
# Mean F1 of the image-level labels in the segmentor's masks, in percent, below which labels and masks do not fit.
LOW_F1 = 50.0

Records = Mapping[str, Mapping[str, Any]]


class Verdict(NamedTuple):
    """What :func:`judge` says.

    Attributes:
        line (str): One line without its end.
        usable (bool): Whether nothing speaks against the results.
        notes (tuple[str]): Further lines: what to know, and what to turn.
        images (dict[str, str]): What is the matter, by id of each image to look at.
    """

    line: str
    usable: bool
    notes: tuple[str, ...] = ()
    images: Mapping[str, str] = {}


def judge(records: Records) -> Verdict:
    """Says in one line whether the results of a run without masks can be used.

    Args:
        records (dict[str, dict]): What the stages noted by :func:`mmwsss.evaluation.records.record_statistics`, by
            name, in the order of the stages, and what :func:`describe_image_labels` says, of kind 'image_labels'; any
            of it may be missing.

    Returns:
        Verdict: It is one of "usable", "look at these N of M images", and what went wrong, such as "the classifier
        learnt nothing: mAP 41 on 6 images, where guessing gives 40".

    Examples:
        >>> judge({'multi_label': dict(kind='classifier', images=80, mAP=30.0, guessed=29.0, classes={})}).line
        'the classifier learnt nothing: mAP 30.0 on 80 held-out images, where guessing gives 29.0'
        >>> judge({}).line
        'nothing was measured'
    """
    if not any(one['kind'] in ('classifier', 'labels', 'segmentor') for one in records.values()):
        return Verdict('nothing was measured', False)
    failures = [*_classifier_failures(records), *_label_failures(records), *_segmentor_failures(records)]
    notes = tuple(_notes(records))
    images = _images_to_look_at(records)
    if failures:
        return Verdict('; '.join(failures), False, notes, images)
    total = sum(one['images'] for one in (pseudo_masks(records), last_of_kind(records, 'segmentor')) if one)
    number = f'{"these " if len(images) > 1 else ""}{len(images)} of {total} images'
    if not images:
        return Verdict('usable', True, notes)
    if len(images) <= FEW * total:
        return Verdict(f'usable; look at {number}', True, notes, images)
    return Verdict(f'look at {number}', True, notes, images)


def are_nearly_all_background(record: Mapping[str, Any]) -> bool:
    """Whether nearly all images with labels have empty masks: nothing can be learnt from such masks.

    Args:
        record (dict): Of kind 'labels'.
    """
    return record['labeled'] > 0 and record['empty'] >= NEARLY_ALL * record['labeled']


def describe_background(record: Mapping[str, Any]) -> str:
    """What :func:`are_nearly_all_background` found, in words."""
    return f'{record["empty"]} of {record["labeled"]} are empty'


def pseudo_masks(records: Records) -> Mapping[str, Any] | None:
    """The last labels that were written, which the segmentor trains on; None where there are none."""
    written = [one for one in records.values() if one['kind'] == 'labels' and one['written']]
    return written[-1] if written else None


def last_of_kind(records: Records, kind: str) -> Mapping[str, Any] | None:
    """The last record of a kind, such as 'segmentor'; None where there is none."""
    found = [one for one in records.values() if one['kind'] == kind]
    return found[-1] if found else None


def skill(record: Mapping[str, Any]) -> float | None:
    """How far a classifier is on the way from guessing, 0, to perfection, 1; None where guessing is perfect already.

    Args:
        record (dict): Of kind 'classifier'.
    """
    if record['guessed'] >= MAX_GUESSED:
        return None
    return (record['mAP'] - record['guessed']) / (100 - record['guessed'])


def _of_classifier(record: Mapping[str, Any]) -> str:
    return (
        f'mAP {record["mAP"]:.1f} on {record["images"]} held-out images, where guessing gives {record["guessed"]:.1f}'
    )


def _classifier_failures(records: Records) -> list[str]:
    record = last_of_kind(records, 'classifier')
    learnt = None if record is None else skill(record)
    if record is None or learnt is None or learnt >= NOTHING_LEARNT:
        return []
    return [f'the classifier learnt nothing: {_of_classifier(record)}']


def _label_failures(records: Records) -> list[str]:
    record = pseudo_masks(records)
    if record is None:
        return []
    if are_nearly_all_background(record):
        return [f'the masks are nearly all background: {describe_background(record)}']
    failures = []
    if record['images'] and record['full'] >= NEARLY_ALL * record['images']:
        failures.append(f'the masks have hardly any background: {record["full"]} of {record["images"]} have none')
    lost = [name for name, one in record['classes'].items() if one['tagged'] and not one['both']]
    for name in lost:
        failures.append(f'{name} is in none of the masks, though {record["classes"][name]["tagged"]} images have it')
    return failures


def _segmentor_failures(records: Records) -> list[str]:
    record = last_of_kind(records, 'segmentor')
    if record is None or not record['labeled']:
        return []
    if not any(one['found'] for one in record['classes'].values()):
        return [f'the segmentor sees nothing but background on the {record["images"]} held-out images']
    return []


def _notes(records: Records) -> list[str]:
    notes = []
    image_labels = last_of_kind(records, 'image_labels') or {}
    for name in image_labels.get('everywhere', ()):
        notes.append(f'{name} is on every training image: add images without it, or its maps mean nothing')
    for first, second in image_labels.get('together', ()):
        notes.append(f'{first} and {second} always occur together: no classifier can tell them apart')
    classifier, segmentor = last_of_kind(records, 'classifier'), last_of_kind(records, 'segmentor')
    if classifier is not None:
        learnt = skill(classifier)
        if learnt is None:
            notes.append(
                'nearly every held-out image has every class: nothing tells whether the classifier knows them; add '
                'images without any class'
            )
        elif NOTHING_LEARNT <= learnt < LITTLE_LEARNT:
            notes.append(f'the classifier learnt little: {_of_classifier(classifier)}')
        guessing = [name for name, one in classifier['classes'].items() if one['AP'] <= one['guessed'] < MAX_GUESSED]
        if guessing and (learnt is None or learnt >= NOTHING_LEARNT):
            notes.append(f'the classifier knows no better than guessing: {", ".join(guessing)}')
    if segmentor is not None and segmentor.get('F1') is not None and segmentor['F1'] < LOW_F1:
        notes.append(
            f'the segmentor finds few of the labels of the {segmentor["images"]} held-out images: F1 '
            f'{segmentor["F1"]:.1f} of 100'
        )
    if segmentor is not None and (segmentor['background'] or 0) >= ALL_BACKGROUND:
        notes.append(f'the masks of the segmentor are {segmentor["background"]:.1f} % background')
    return notes


def _images_to_look_at(records: Records) -> dict[str, str]:
    images: dict[str, list[str]] = {}
    masks = pseudo_masks(records)
    for record, where in ((masks, 'pseudo mask'), (last_of_kind(records, 'segmentor'), 'segmentor')):
        for problem, image_ids in (record['named'] if record else {}).items():
            for image_id in image_ids:
                images.setdefault(image_id, []).append(f'{where}: {problem}')
    return {image_id: '; '.join(reasons) for image_id, reasons in sorted(images.items())}
