//! Pipelines of Nextflow as targets.

use super::Resolver;
use crate::model::Index;
use crate::model::nextflow::{Nextflow, PipelineService};
use crate::spec;

impl Resolver<'_> {
    pub(super) fn nextflow(
        &mut self,
        target: &str,
        pipeline: &spec::Nextflow,
        known: &Index,
    ) -> Nextflow {
        let here = ["targets", target];
        let mut files = Vec::new();
        for (index, file) in pipeline.files.iter().enumerate() {
            let span = self.value(&["targets", target, "files", &index.to_string()]);
            files.extend(self.path(file, here, span).map(|path| (path, span)));
        }
        let output_span = self.value(&["targets", target, "output"]);
        let output = self.path(&pipeline.output, here, output_span);
        let mut services = Vec::new();
        for (name, written) in &pipeline.services {
            let path = ["targets", target, "services", name.as_str()];
            let span = self.loaded.place(&path).key;
            let processes = written.processes.iter().enumerate();
            let processes = processes.map(|(index, process)| {
                let index = index.to_string();
                let place = [&path[..], &["processes", &index]].concat();
                (process.to_string(), self.value(&place))
            });
            let processes = processes.collect();
            let service = self.service(name.as_str(), known, span);
            services.extend(service.map(|service| PipelineService {
                service,
                processes,
                span,
            }));
        }
        Nextflow {
            files,
            output: output.unwrap_or_default(),
            output_span,
            workspace: pipeline
                .seqera
                .as_ref()
                .map(|seqera| seqera.workspace.to_string()),
            services,
        }
    }
}
