// libavformat and libavcodec as far as remuxing needs them, from ffmpeg 5.1 on. What Swift cannot see, because it is a
// macro, and what differs between versions, stands here as small functions.
#ifndef WEIR_CLIBAV_SHIM_H
#define WEIR_CLIBAV_SHIM_H

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/aes.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>

static inline int weir_error_end(void) { return AVERROR_EOF; }
static inline int weir_error_again(void) { return AVERROR(EAGAIN); }
static inline int weir_error_input(void) { return AVERROR(EIO); }
static inline int weir_error_damage(void) { return AVERROR_INVALIDDATA; }
static inline int weir_error_argument(void) { return AVERROR(EINVAL); }
static inline int64_t weir_no_timestamp(void) { return AV_NOPTS_VALUE; }
static inline int weir_log_errors(void) { return AV_LOG_ERROR; }
static inline int weir_is_key(const AVPacket *packet) { return packet->flags & AV_PKT_FLAG_KEY; }

// Before 5.1 there was a count, since then a layout that has one.
static inline int weir_channels(const AVCodecParameters *parameters) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(59, 24, 100)
    return parameters->ch_layout.nb_channels;
#else
    return parameters->channels;
#endif
}

static inline AVIOContext *weir_reading(int size, void *owner, int (*read)(void *, uint8_t *, int)) {
    unsigned char *buffer = (unsigned char *)av_malloc((size_t)size);
    if (!buffer) return NULL;
    AVIOContext *io = avio_alloc_context(buffer, size, 0, owner, read, NULL, NULL);
    if (!io) av_free(buffer);
    return io;
}

// The bytes handed to the callback are const since libavformat 61; nobody ever wrote into them.
static inline AVIOContext *weir_writing(int size, void *owner, int (*write)(void *, const uint8_t *, int)) {
    unsigned char *buffer = (unsigned char *)av_malloc((size_t)size);
    if (!buffer) return NULL;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    AVIOContext *io = avio_alloc_context(buffer, size, 1, owner, NULL, write, NULL);
#else
    AVIOContext *io = avio_alloc_context(buffer, size, 1, owner, NULL, (int (*)(void *, uint8_t *, int))write, NULL);
#endif
    if (!io) av_free(buffer);
    return io;
}

static inline void weir_close_io(AVIOContext *io) {
    if (!io) return;
    av_freep(&io->buffer);
    avio_context_free(&io);
}

static inline AVStream *weir_stream(const AVFormatContext *context, unsigned int index) {
    return index < context->nb_streams ? context->streams[index] : NULL;
}

static inline const uint8_t *weir_new_extradata(const AVPacket *packet, size_t *size) {
    return av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, size);
}

static inline int weir_is_encrypted(const AVPacket *packet) {
    size_t size = 0;
    return av_packet_get_side_data(packet, AV_PKT_DATA_ENCRYPTION_INFO, &size) != NULL;
}

// Takes a copy of the bytes.
static inline int weir_attach_extradata(AVPacket *packet, const uint8_t *bytes, size_t size) {
    uint8_t *copy = av_packet_new_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, size);
    if (!copy) return AVERROR(ENOMEM);
    memcpy(copy, bytes, size);
    return 0;
}

static inline int weir_set_extradata(AVCodecParameters *parameters, const uint8_t *bytes, size_t size) {
    uint8_t *copy = (uint8_t *)av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!copy) return AVERROR(ENOMEM);
    memcpy(copy, bytes, size);
    av_freep(&parameters->extradata);
    parameters->extradata = copy;
    parameters->extradata_size = (int)size;
    return 0;
}

static inline uint8_t *weir_plane(const AVFrame *frame, int plane) { return frame->data[plane]; }
static inline int weir_stride(const AVFrame *frame, int plane) { return frame->linesize[plane]; }

// From 2, the best, to 31.
static inline void weir_set_quality(AVCodecContext *context, int quality) {
    context->flags |= AV_CODEC_FLAG_QSCALE;
    context->global_quality = FF_QP2LAMBDA * quality;
}

static inline void weir_set_bitexact(AVFormatContext *context) { context->flags |= AVFMT_FLAG_BITEXACT; }

#endif
