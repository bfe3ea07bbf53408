include { TWO as X } from './two'

process TWO {
    secret 'TWOS'
    script:
    'true'
}

process 'BAZ' {
    script:
    'true'
}
