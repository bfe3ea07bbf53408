include { ALIGN as AGAIN } from './align'
process ALIGN {
    // secret 'COMMENTED'
    secret 'OWN'
    script:
    """
    secret 'SCRIPT' }
    """
}
process REPORT {
    script:
    'true'
}
