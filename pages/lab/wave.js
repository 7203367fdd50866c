// P(t) = base + A·sin(2πFt + φ), limited to 0 to 1: what vif.oscillation.permeability_at computes, which a test compares.
export function permeabilityAt(base, [frequency, amplitude, phase], seconds) {
  const angle = 2 * Math.PI * frequency * seconds
  return Math.min(Math.max(base + amplitude * Math.sin(angle + phase), 0), 1)
}
