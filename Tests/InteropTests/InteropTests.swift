import Testing

/// Real programs on both ends: nginx or a lab origin, `weir` processes, and ffmpeg, mpv, ffplay or curl as players. One
/// test at a time, because they measure time and load. `WEIR_LONG=1` takes the full lengths.
@Suite(.serialized)
struct InteropTests {}
