process ALIGN {
    script:
    'true'
}
process REPORT {
    secret params.which
    script:
    'true'
}
