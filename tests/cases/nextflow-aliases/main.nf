include { ONE as X } from './one'

process ONE {
    secret 'ONES'
    script:
    secret = 'a variable'
    'true'
}

process BAR
{
    secret 'BARS'
    script:
    'true'
}
