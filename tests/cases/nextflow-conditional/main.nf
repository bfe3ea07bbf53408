process ALIGN {
    if (params.secure) {
        secret 'COND'
    }
    script:
    'true'
}
