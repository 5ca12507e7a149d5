"""What ffmpeg may read: its names of containers and decoders, and headerless files by extension."""

from typing import NamedTuple

FORMATS = (
    "aac,ac3,act,aiff,amr,ape,asf,au,avi,avr,caf,dsf,dss,dts,dtshd,dv,eac3,flac,flv,gxf,iff,ircam,"
    "loas,matroska,webm,mlp,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nsv,"
    "nut,ogg,qcp,rm,rso,shn,sox,tak,truehd,tta,voc,vqf,w64,wav,wtv,wv,wve,xa"
)
"""Containers that recordings come in; no playlists, no scripts, nothing that opens another file."""

DECODERS = (
    "8svx_exp,8svx_fib,aac,aac_latm,ac3,adpcm_ct,adpcm_ima_oki,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,"
    "adpcm_sbpro_2,adpcm_sbpro_3,adpcm_sbpro_4,adpcm_swf,adpcm_xa,adpcm_yamaha,alac,als,amrnb,"
    "amrwb,libopencore_amrnb,libopencore_amrwb,ape,atrac1,atrac3,atrac3al,atrac3plus,atrac3plusal,"
    "cook,dca,dolby_e,dsd_lsbf,dsd_lsbf_planar,dsd_msbf,dsd_msbf_planar,dss_sp,dst,dvaudio,eac3,"
    "evrc,flac,g722,adpcm_g722,g723_1,g726,g726le,adpcm_g726,adpcm_g726le,g729,gsm,gsm_ms,iac,ilbc,"
    "imc,libgsm,libgsm_ms,libopus,libspeex,libvorbis,mace3,mace6,metasound,mlp,mp1,mp1float,mp2,"
    "mp2float,mp3,mp3adu,mp3adufloat,mp3float,mp3on4,mp3on4float,mpc7,mpc8,nellymoser,opus,"
    "pcm_alaw,pcm_bluray,pcm_dvd,pcm_f16le,pcm_f24le,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,"
    "pcm_lxf,pcm_mulaw,pcm_s16be,pcm_s16be_planar,pcm_s16le,pcm_s16le_planar,pcm_s24be,"
    "pcm_s24daud,pcm_s24le,pcm_s24le_planar,pcm_s32be,pcm_s32le,pcm_s32le_planar,pcm_s64be,"
    "pcm_s64le,pcm_s8,pcm_s8_planar,pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,pcm_u32be,pcm_u32le,"
    "pcm_u8,pcm_vidc,qcelp,qdm2,qdmc,ralf,real_144,real_288,s302m,sbc,shorten,sipr,speex,tak,truehd,"
    "truespeech,tta,twinvq,vorbis,wavpack,wmalossless,wmapro,wmav1,wmav2,wmavoice"
)
"""No decoder for pictures: while it looks for the sound, ffmpeg would also try those."""


class RawFormat(NamedTuple):
    """A file without a header: ffmpeg's name of it, and the options that a header would give."""

    name: str
    options: tuple[str, ...] = ()


_TELEPHONE = ("-ar", "8000", "-ac", "1")

_RAW_FORMATS = {
    "gsm": RawFormat("gsm"),
    "g722": RawFormat("g722"),
    "722": RawFormat("g722"),
    "g723": RawFormat("g723_1"),
    "g729": RawFormat("g729"),
    "al": RawFormat("alaw", _TELEPHONE),
    "alaw": RawFormat("alaw", _TELEPHONE),
    "ul": RawFormat("mulaw", _TELEPHONE),
    "ulaw": RawFormat("mulaw", _TELEPHONE),
    "mulaw": RawFormat("mulaw", _TELEPHONE),
    "pcmu": RawFormat("mulaw", _TELEPHONE),
    "pcma": RawFormat("alaw", _TELEPHONE),
    "sln": RawFormat("s16le", _TELEPHONE),
    "sln16": RawFormat("s16le", ("-ar", "16000", "-ac", "1")),
    "sln48": RawFormat("s16le", ("-ar", "48000", "-ac", "1")),
    "sbc": RawFormat("sbc"),
}
"""Telephone systems write these; nothing but the file's name says what they are."""


def raw_format(name: str) -> RawFormat | None:
    """The headerless format that a file's name stands for, or None."""
    return _RAW_FORMATS.get(extension(name))


def extension(name: str) -> str:
    """What a file's name or address ends with, in lower case, without the dot."""
    last = name.rpartition("/")[2]
    return last.rpartition(".")[2].lower() if "." in last else ""
