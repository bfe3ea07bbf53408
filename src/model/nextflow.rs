//! A pipeline of Nextflow as a target, resolved.

use super::ServiceId;
use crate::source::Span;

/// A pipeline of Nextflow.
#[derive(Debug)]
pub struct Nextflow {
    /// Its scripts and configuration, from the root, each with the place that names it.
    pub files: Vec<(String, Span)>,
    /// The directory that is written, from the root.
    pub output: String,
    /// Where it is named.
    pub output_span: Span,
    /// The workspace of Seqera Platform.
    pub workspace: Option<String>,
    /// The services, and the processes of each, with the places that name them.
    pub services: Vec<PipelineService>,
}

/// A service as processes of a pipeline.
#[derive(Debug)]
pub struct PipelineService {
    /// Which service of the spec.
    pub service: ServiceId,
    /// The processes.
    pub processes: Vec<(String, Span)>,
    /// Where it was written.
    pub span: Span,
}
