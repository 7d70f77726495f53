"""Compares what pydicom reads from NAME.dcm with the samples in NAME.csv, in microvolts.

pydicom applies channel sensitivity, correction and baseline on its own; unit and lead names are
read here from the channel definitions.
"""

import csv
import sys
from pathlib import Path

import numpy
import pydicom

MICROVOLTS_PER = {"uV": 1.0, "mV": 1e3, "V": 1e6}
# MDC reference ids (ISO/IEEE 11073-10101) of the twelve leads.
LEADS = {f"MDC_ECG_LEAD_{lead.upper()}": lead for lead in
         ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]}
LEADS_BY_CODE = {"2:1": "I", "2:2": "II", "2:61": "III", "2:62": "aVR", "2:63": "aVL", "2:64": "aVF",
                 "2:3": "V1", "2:4": "V2", "2:5": "V3", "2:6": "V4", "2:7": "V5", "2:8": "V6"}


def lead_of(channel):
    """The lead that a channel says it is, by its MDC code."""
    source = channel.ChannelSourceSequence[0]
    assert source.CodingSchemeDesignator == "MDC", source.CodingSchemeDesignator
    return LEADS_BY_CODE.get(source.CodeValue) or LEADS[source.CodeValue]


def faults(dcm, table):
    """What differs between a file and its table; empty when nothing does."""
    data = pydicom.dcmread(dcm)
    group = data.WaveformSequence[0]
    channels = group.ChannelDefinitionSequence
    units = [channel.ChannelSensitivityUnitsSequence[0].CodeValue for channel in channels]
    read = data.waveform_array(0) * numpy.array([MICROVOLTS_PER[unit] for unit in units])
    with table.open(newline="") as lines:
        names, *rows = csv.reader(lines)
    meant = numpy.array(rows, dtype=float)
    found = [lead_of(channel) for channel in channels]
    if found != names:
        return [f"leads {found} instead of {names}"]
    if read.shape != meant.shape:
        return [f"{read.shape} samples instead of {meant.shape}"]
    worst = float(numpy.abs(read - meant).max())
    # A thousandth of a microvolt is far below any step and far above rounding in binary fractions.
    return [f"samples differ by up to {worst} uV"] if worst > 0.001 else []


def main(folder):
    """Judges every file of a folder; an empty one is a failure."""
    files = sorted(Path(folder).glob("*.dcm"))
    failed = 0
    for dcm in files:
        found = faults(dcm, dcm.with_suffix(".csv"))
        failed += bool(found)
        for fault in found:
            print(f"{dcm.name}: {fault}")
    print(f"pydicom: {len(files) - failed} passed, {failed} failed")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
