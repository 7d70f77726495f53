use precordia_analysis::measure;
use precordia_synth::*;
#[test]
fn dbg() {
    let s = synthesize(&Spec { qrs_axis_deg: -20.0, ..Spec::default() });
    let mut r = s.recording.clone();
    r.rhythm.traces.retain(|t| t.lead == precordia_model::Lead::II);
    let m = measure(&r);
    eprintln!("{:?} truth {:?}", m, s.truth.r_peaks);
    let s = synthesize(&Spec {
        rhythm: SynthRhythm::AtrialFibrillation { f_wave_uv: 30.0 },
        rate_bpm: 84.0,
        qt_ms: 340.0,
        seed: 8,
        ..Spec::default()
    });
    let m = measure(&s.recording);
    eprintln!("{:?} truth {:?}", m, s.truth.r_peaks);
}
